-- SPDX-License-Identifier: Apache-2.0
-- KEYS[1] marker, ARGV nonce, since in ms, our clock's now, and why: "now" if since is that, then the
-- later of the two clocks counts; "vouched", then the moment is noted too, by the earlier of them: a
-- vouch covers nothing that came after it. Only ever lowers, and only the marker of this nonce.
-- Answers the marker that is there now.
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' or not held then return held end
local head, since, vouched, nonce = string.match(held, '^(.+) (%S+) (%S+) (%S+)$')
if nonce ~= ARGV[1] then return held end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000) + 1
local lower = tonumber(ARGV[2])
if ARGV[4] == 'now' then lower = math.max(lower, now) end
if since ~= '-' and lower > tonumber(since) then return held end
if ARGV[4] == 'vouched' then
  vouched = string.format('%.0f', math.min(now, tonumber(ARGV[3])))
elseif since ~= '-' and lower == tonumber(since) then
  return held
end
held = head .. ' ' .. string.format('%.0f', lower) .. ' ' .. vouched .. ' ' .. nonce
redis.call('SET', KEYS[1], held)
return held
