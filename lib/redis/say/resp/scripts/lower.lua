-- SPDX-License-Identifier: Apache-2.0
-- KEYS[1] marker, ARGV nonce, since in ms, and why: "now" if since is our clock's now, then the later
-- of the two clocks counts; "vouched", then two more: the date of the vouch, which is noted, and the
-- since that was seen. Both are of the moment at which whoever vouches looked: what came between
-- that and this he does not know of. So the date is not now, and a marker that was raised meanwhile
-- stays as it is. The date is by this server's clock, for whoever compares it knows how his own
-- differs from it. Only ever lowers, and only the marker of this nonce. Answers the marker that is
-- there now.
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' or not held then return held end
local head, since, vouched, nonce = string.match(held, '^(.+) (%S+) (%S+) (%S+)$')
if nonce ~= ARGV[1] then return held end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local lower = tonumber(ARGV[2])
if ARGV[3] == 'now' then lower = math.max(lower, now + 1) end
if ARGV[3] == 'vouched' and tonumber(since) ~= tonumber(ARGV[5]) then return held end
if since ~= '-' and lower > tonumber(since) then return held end
if ARGV[3] == 'vouched' then
  vouched = ARGV[4]
elseif since ~= '-' and lower == tonumber(since) then
  return held
end
held = head .. ' ' .. string.format('%.0f', lower) .. ' ' .. vouched .. ' ' .. nonce
redis.call('SET', KEYS[1], held)
return held
