if #live == 0 then return false end
return {read(live[1]), left(live[1])}
