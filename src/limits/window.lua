-- So many in any window, exactly.
--
-- KEYS: 1 what was admitted, scored by when, in µs
-- ARGV: 1 how many, 2 the window in µs
--
-- Returns 1 and the moment, which names what was admitted; or 0 and after how many µs one more will be.

local key, most, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local newest = tonumber(redis.call('ZRANGE', key, -1, -1)[1])
if newest and newest - now > window then
  -- Redis' clock was set back by more than a window: what it said before means nothing now.
  redis.call('DEL', key)
elseif newest and newest >= now then
  now = newest + 1
end
redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
local count = redis.call('ZCARD', key)
if count < most then
  local moment = string.format('%.0f', now)
  redis.call('ZADD', key, moment, moment)
  redis.call('PEXPIRE', key, math.ceil(window / 1000) + 1000)
  return { 1, now }
end
-- When this one is out of the window, fewer than `most` are left in it.
local first = tonumber(redis.call('ZRANGE', key, count - most, count - most)[1])
return { 0, first + window - now }
