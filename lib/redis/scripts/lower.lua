-- SPDX-License-Identifier: Apache-2.0
-- KEYS[1] marker, ARGV nonce, since in ms, and why: "now" if since is our clock's now, then the later of
-- the two clocks counts; "vouched", then the moment is noted too, by this clock alone, for whoever
-- compares it knows how his own differs from it. Only ever lowers, and only the marker of this
-- nonce. Answers the marker that is there now.
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' or not held then return held end
local head, since, vouched, nonce = string.match(held, '^(.+) (%S+) (%S+) (%S+)$')
if nonce ~= ARGV[1] then return held end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local lower = tonumber(ARGV[2])
if ARGV[3] == 'now' then lower = math.max(lower, now + 1) end
if since ~= '-' and lower > tonumber(since) then return held end
if ARGV[3] == 'vouched' then
  vouched = string.format('%.0f', now)
elseif since ~= '-' and lower == tonumber(since) then
  return held
end
held = head .. ' ' .. string.format('%.0f', lower) .. ' ' .. vouched .. ' ' .. nonce
redis.call('SET', KEYS[1], held)
return held
