-- 1 dropped · 0 nothing was live
local found = #live > 0 and 1 or 0
cut(0)
save()
return found
