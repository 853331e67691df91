-- ARGV expected (empty: none), value (empty: none), ttl in ms.  1 swapped · 0 mismatch
local current = live[1] and read(live[1]) or ''
if current ~= ARGV[1] then return 0 end
cut(0)
if ARGV[2] ~= '' then push(ARGV[2], ARGV[3]) end
save()
return 1
