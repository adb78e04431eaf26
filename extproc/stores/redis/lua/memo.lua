-- What was told of inputs before, or is to be told again.
--
-- KEYS: one for each input.
-- ARGV: none to ask; else 1 for how long to keep them, in milliseconds, and what was told of each.
--
-- Answer: {'A', now, what was told of each, or nil}.

local reply = {'A', number(clock(''))}
for i, key in ipairs(KEYS) do
  if ARGV[1] then
    redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1])
  else
    reply[i + 2] = redis.call('GET', key)
  end
end
return reply
