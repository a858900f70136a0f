-- How many places of something are taken, over all nodes.
--
-- KEYS: 1 a hash: for each lease, how many are taken under it
-- ARGV: 1 the lease, 2 what the leases of its node begin with, 3 how many are taken there, 4 how many there are in all, or
--         '' if those taken are so in any case
--
-- Returns whether so many could be taken; and the other leases. What was said before under the lease holds if not.

local key, lease, node, count = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local others, taken = {}, 0
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  if string.sub(fields[i], 1, #node) ~= node then
    others[#others + 1] = fields[i]
    taken = taken + tonumber(fields[i + 1])
  elseif fields[i] ~= lease then
    redis.call('HDEL', key, fields[i])
  end
end
if ARGV[4] ~= '' and taken + count > tonumber(ARGV[4]) then
  return { 0, others }
end
if count > 0 then
  redis.call('HSET', key, lease, count)
else
  redis.call('HDEL', key, lease)
end
return { 1, others }
