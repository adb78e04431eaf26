-- Hand in what a replica knew of a group before the store lost it: the larger of both counts.
--
-- KEYS: a group's two, see groups.lua.
-- ARGV: 1 the time, empty for the server's; 2 the life that the group has now; then field and
--       state, as many as are known.
--
-- Answer: {WHAT, now}.  WHAT is T done, or M the group has lost it once more.

local now, key, leases = clock(ARGV[1]), KEYS[1], KEYS[2]
local time = latest(now, redis.call('HGET', key, NOW))

-- Which of two says that more was spent, at any time.
local function larger(one, other, kind)
  if not one then return other end
  if kind == 'r' or kind == 'n' then return math.max(one, other) end
  if kind == 'c' then
    if one[1] == other[1] then return {one[1], math.max(one[2], other[2])} end
    return one[1] > other[1] and one or other
  end
  if one[2] < other[2] then one, other = other, one end
  local older = moved(other, one[2] * one[1], one[1])
  for i = 3, LAST do one[i] = math.max(one[i], older[i]) end
  return one
end

if redis.call('HGET', key, LIFE) ~= ARGV[2] then return {'M', number(now)} end
for i = 3, #ARGV, 2 do
  local field, text = ARGV[i], ARGV[i + 1]
  if string.byte(field) == 0 then
    redis.call('HSET', key, field, text)
    keep_it(key, leases, time, time + EVER)
  else
    local kind = string.sub(text, 1, 1)
    local state = larger(parse(redis.call('HGET', key, field), kind), parse(text, kind), kind)
    redis.call('HSET', key, field, text_of(state, kind))
    keep_it(key, leases, time, idle(state, kind) or time)
  end
end
return {'T', number(now)}
