if #live == 0 then return false end
local newest = table.remove(live, 1)
local answer = {read(newest), left(newest)}
dead[#dead + 1] = 'v' .. newest.id
save()
return answer
