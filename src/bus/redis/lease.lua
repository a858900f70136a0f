-- Leases of nodes, by Redis' own clock. A lease that has ended moves from one set to the other, and out of that when
-- what was held under it is gone.
--
-- KEYS: 1 leases in force, scored by when they end; 2 ended ones, scored by when somebody may (again) see to them;
--       3 the epoch: another value whenever something may have been lost
-- ARGV: 1 what to do, 2 the lease, 3 how long, in ms; more below

local held, ended, epoch = KEYS[1], KEYS[2], KEYS[3]
local lease, length = ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ops = {}

local function put(set, one, score)
  redis.call('ZADD', set, string.format('%.0f', score), one)
end

-- Redis that was started again may have lost its newest writes, whatever is left.
local function current_epoch(new)
  local info = redis.pcall('INFO', 'server')
  local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
  local known = redis.call('GET', epoch)
  if not known or string.sub(known, 1, #run + 1) ~= run .. ':' then
    known = run .. ':' .. new
    redis.call('SET', epoch, known)
  end
  return known
end

-- 4: a random text, 5: whether the lease is new, 6: the lease before, or ''.
-- Whether it was there, the epoch, all that are in force, all that have ended, and those to be seen to now.
function ops.renew()
  local kept = redis.call('ZSCORE', held, lease) and true or false
  local known = current_epoch(ARGV[4])
  if kept or ARGV[5] == '1' then
    put(held, lease, now + length)
  end
  if ARGV[6] ~= '' then
    -- Something may have been written under it after it was lost, or may be on its way still.
    redis.call('ZREM', held, ARGV[6])
    put(ended, ARGV[6], now + length)
  end
  local due = redis.call('ZRANGEBYSCORE', held, '-inf', now)
  for _, one in ipairs(redis.call('ZRANGEBYSCORE', ended, '-inf', now)) do
    due[#due + 1] = one
  end
  return {
    kept and 1 or 0,
    known,
    redis.call('ZRANGE', held, 0, -1),
    redis.call('ZRANGE', ended, 0, -1),
    due,
  }
end

-- Until when the caller may see to a lease that has ended; 0 if it has not, or somebody else does.
function ops.claim()
  local ends = redis.call('ZSCORE', held, lease)
  if ends and tonumber(ends) > now then
    redis.call('ZREM', ended, lease)
    return 0
  end
  local free = redis.call('ZSCORE', ended, lease)
  if not ends and (not free or tonumber(free) > now) then
    return 0
  end
  redis.call('ZREM', held, lease)
  put(ended, lease, now + length)
  return now + length
end

-- 4: until when the caller may see to it; 5: whether it is done. Until when it may now; 0 if somebody else does.
function ops.go_on()
  if tonumber(redis.call('ZSCORE', ended, lease) or -1) ~= tonumber(ARGV[4]) then
    return 0
  end
  if ARGV[5] == '1' then
    redis.call('ZREM', ended, lease)
  else
    put(ended, lease, now + length)
  end
  return now + length
end

-- Nobody knows the lease under which something is held.
function ops.suspect()
  if not redis.call('ZSCORE', held, lease) then
    redis.call('ZADD', ended, 'NX', string.format('%.0f', now + length), lease)
  end
  return 0
end

-- The holder gives it back. 4: in how many ms somebody sees to what is held under it still, or ''.
function ops.leave()
  redis.call('ZREM', held, lease)
  if ARGV[4] ~= '' then
    put(ended, lease, now + tonumber(ARGV[4]))
  end
  return 0
end

return ops[ARGV[1]]()
