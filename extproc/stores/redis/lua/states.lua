-- The arithmetic of extproc/limits, on states as texts: a letter for the kind of rule, and numbers.
--
--   r TIME               rate: the theoretical arrival time
--   n COUNT              concurrency: how much is under way
--   c END SPENT          calendar: the end of its period, what was spent in it
--   s PART NEWEST P0..P8 sliding: the length of a part, the newest one's number, what was spent
--
-- Times are whole microseconds.  Every number stays below 2^53, where a double is exact.  A state is
-- a number, or for c and s an array of them.
--
-- A charge is {field, kind, cost, kept, capacity, a, b, c}: for a calendar a, b and c are the ends
-- of the period before, of this one and of the next, by the client's clock; for a sliding budget a
-- is the length of a part.

local FIELD, KIND, COST, KEPT, CAPACITY, A, B, C = 1, 2, 3, 4, 5, 6, 7, 8
local STRIDE = 8
local LAST = 11 -- of the array of a sliding budget, whose third is its newest part
local MOST = 2 ^ 52

local function number(n)
  if n > MOST then n = MOST elseif n < -MOST then n = -MOST end
  return string.format('%.0f', n + 0)
end

local function parse(text, kind)
  if not text then return nil end
  if kind == 'r' or kind == 'n' then return tonumber(string.sub(text, 2)) end
  local state = {}
  for word in string.gmatch(string.sub(text, 2), '%S+') do state[#state + 1] = tonumber(word) end
  return state
end

local function text_of(state, kind)
  if kind == 'r' or kind == 'n' then return kind .. number(state) end
  local words = {}
  for i, each in ipairs(state) do words[i] = number(each) end
  return kind .. table.concat(words, ' ')
end

-- What counts of a sliding budget now; a clock that steps back stays in the part that it was in.
local function moved(state, now, part)
  local current = (now - now % part) / part
  if not state then return {part, current, 0, 0, 0, 0, 0, 0, 0, 0, 0} end
  local passed = math.max(0, current - state[2])
  local after = {part, state[2] + passed}
  for i = 3, LAST do after[i] = i - passed >= 3 and state[i - passed] or 0 end
  return after
end

local function level(state, kind, now, part)
  if not state then return 0 end
  if kind == 'r' then return state > now and state - now or 0 end
  if kind == 'n' then return state end
  if kind == 'c' then return now < state[1] and state[2] or 0 end
  local sum, parts = 0, moved(state, now, part)
  for i = 3, LAST do sum = sum + parts[i] end
  return sum
end

local function add(state, kind, now, cost, charge)
  if kind == 'r' then return (state and state > now and state or now) + cost end
  if kind == 'n' then return (state or 0) + cost end
  if kind == 'c' then
    if state and now < state[1] then return {state[1], state[2] + cost} end
    return {now < charge[B] and charge[B] or charge[C], cost}
  end
  local parts = moved(state, now, charge[A])
  parts[3] = parts[3] + cost
  return parts
end

-- Where a charge went that made this state.
local function mark_of(state, kind)
  return kind == 'r' and state or kind == 'c' and state[1] or kind == 's' and state[2] or 0
end

-- Take back what was counted, as far as time has not done so already.
local function back(state, kind, now, cost, mark, part)
  if kind == 'r' then return state - math.max(0, math.min(cost, mark - now)) end
  if kind == 'n' then return math.max(0, state - cost) end
  if kind == 'c' then return state[1] == mark and {mark, state[2] - cost} or state end
  local parts = moved(state, now, part)
  local place = 3 + parts[2] - mark
  if place >= 3 and place <= LAST then parts[place] = parts[place] - cost end
  return parts
end

-- From when on it says the same as no state; nothing where that is not a matter of time.
local function idle(state, kind)
  if kind == 'r' then return state end
  if kind == 'n' then return state == 0 and 0 or nil end
  return kind == 'c' and state[1] or (state[2] + 9) * state[1]
end

-- Whether a calendar's charge has periods that the time is not in: the client's clock is another.
local function skewed(charge, now)
  return charge[KIND] == 'c' and (now < charge[A] or now >= charge[C])
end
