-- SPDX-License-Identifier: Apache-2.0
-- KEYS[1] marker, ARGV nonce, since in ms, and "now" if that is our clock's now: then the later of
-- the two clocks counts. Only ever lowers, and only the marker of this nonce. Answers the marker that is
-- there now.
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' or not held then return held end
local head, since, nonce = string.match(held, '^(.+) (%S+) (%S+)$')
if nonce ~= ARGV[1] then return held end
local lower = tonumber(ARGV[2])
if ARGV[3] == 'now' then
  local clock = redis.call('TIME')
  lower = math.max(lower, tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000) + 1)
end
if since == '-' or lower < tonumber(since) then
  held = head .. ' ' .. string.format('%.0f', lower) .. ' ' .. nonce
  redis.call('SET', KEYS[1], held)
end
return held
