-- SPDX-License-Identifier: Apache-2.0
-- KEYS[1] marker, ARGV whom it must name, the epoch ("-": any will do), a new nonce. Leaves one that
-- names it as it is. When a new one stands is not known before it stands: "-". Answers the marker
-- that is there now.
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then return held end
local whom, epoch = string.match(held or '', '^2 (.+) (%S+) %S+ %S+ %S+$')
if whom == ARGV[1] and (ARGV[2] == '-' or ARGV[2] == epoch) then return held end
held = '2 ' .. ARGV[1] .. ' ' .. ARGV[2] .. ' - 0 ' .. ARGV[3]
redis.call('SET', KEYS[1], held)
return held
