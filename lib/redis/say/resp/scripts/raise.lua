-- SPDX-License-Identifier: Apache-2.0
-- Another server was relied on since the marker's time: what it says of itself is true, and of no
-- use. KEYS[1] marker, ARGV nonce, the moment in ms that since must at least be; the server's clock
-- may know a later one. Only ever raises, and only the marker of this nonce. Answers the marker that
-- is there now.
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' or not held then return held end
local head, since, vouched, nonce = string.match(held, '^(.+) (%S+) (%S+) (%S+)$')
if nonce ~= ARGV[1] or since == '-' then return held end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000) + 1
local raised = math.max(tonumber(ARGV[2]), now)
if raised > tonumber(since) then
  held = head .. ' ' .. string.format('%.0f', raised) .. ' ' .. vouched .. ' ' .. nonce
  redis.call('SET', KEYS[1], held)
end
return held
