-- On which nodes one user is.
--
-- KEYS: 1 a hash: a field for each lease under which the user is somewhere; `v`, the version of the last coming online or
--         going offline; `d`, the lease with whose end the user went offline, if it was so
-- ARGV: 1 what happens (arrive, remain, depart, reap), 2 the lease, 3 what the leases of its node begin with, 4 what is noted of
--         the user there
--
-- Returns the version, if the user is nowhere else, or 0; and the other leases. Who asks again gets the same version. For one
-- who remains it is 0 besides, unless it had been said that they had gone.

local key, what, lease, node = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local is_here = what == 'arrive' or what == 'remain'
local ours, others = {}, {}
for _, field in ipairs(redis.call('HKEYS', key)) do
  if field == 'v' or field == 'd' then
    -- no lease
  elseif field == lease or (what ~= 'reap' and string.sub(field, 1, #node) == node) then
    ours[#ours + 1] = field
  else
    others[#others + 1] = field
  end
end

local last = redis.call('HGET', key, 'v')
local function change()
  local time = redis.call('TIME')
  last = math.max(time[1] * 1000000 + time[2], (tonumber(last) or 0) + 1)
  redis.call('HSET', key, 'v', string.format('%.0f', last))
end

if #ours > 0 then
  redis.call('HDEL', key, unpack(ours))
end
local by = redis.call('HGET', key, 'd')
if is_here then
  redis.call('HSET', key, lease, ARGV[4])
  redis.call('HDEL', key, 'd')
  redis.call('PERSIST', key)
end
if #others > 0 then
  return { 0, others }
end
if is_here then
  -- A hash without a version is one that was lost: nothing was said of the user since.
  local had_gone = #ours == 0 and last
  if #ours == 0 or not last then
    change()
  end
  if what == 'remain' and not had_gone then
    return { 0, others }
  end
elseif what == 'depart' then
  if #ours > 0 or not last then
    change()
    redis.call('HDEL', key, 'd')
  end
elseif #ours > 0 then
  change()
  redis.call('HSET', key, 'd', lease)
elseif by ~= lease then
  return { 0, others }
end
if not is_here then
  -- The version is kept for those who ask again, and for as long as clocks may differ.
  redis.call('EXPIRE', key, 600)
end
return { tonumber(last), others }
