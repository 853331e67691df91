-- SPDX-License-Identifier: Apache-2.0
-- The values of a key are one hash: field i lists "id:end" of each value, newest first; field
-- v<id> is the value. Ends are microseconds of the server's clock, for a value ends on its own,
-- before the key does.
local key = KEYS[1]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local index = redis.pcall('HGET', key, 'i')
if type(index) == 'table' then return index end
local live, dead, top = {}, {}, 0
for id, ends in string.gmatch(index or '', '(%d+):(%d+)') do
  if top == 0 then top = tonumber(id) end
  if tonumber(ends) > now then
    live[#live + 1] = {id = id, ends = tonumber(ends)}
  else
    dead[#dead + 1] = 'v' .. id
  end
end
local function read(value)
  return redis.call('HGET', key, 'v' .. value.id)
end
local function left(value)
  return math.ceil((value.ends - now) / 1000)
end
local function push(bytes, ttl)
  local value = {id = string.format('%.0f', top + 1), ends = now + tonumber(ttl) * 1000}
  table.insert(live, 1, value)
  redis.call('HSET', key, 'v' .. value.id, bytes)
end
local function cut(keep)
  while #live > keep do dead[#dead + 1] = 'v' .. table.remove(live).id end
end
local function save()
  if #live == 0 then return redis.call('DEL', key) end
  local lines, longest = {}, 0
  for at, value in ipairs(live) do
    lines[at] = value.id .. ':' .. string.format('%.0f', value.ends)
    if value.ends > longest then longest = value.ends end
  end
  redis.call('HSET', key, 'i', table.concat(lines, ' '))
  if #dead > 0 then redis.call('HDEL', key, unpack(dead)) end
  redis.call('PEXPIRE', key, string.format('%.0f', math.ceil((longest - now) / 1000) + 1))
end
