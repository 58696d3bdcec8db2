-- wrk -s wrk.lua URL -- FIRST LAST ORDER KEYS
--
-- In the URL's path @id stands for a number from FIRST to LAST, in this ORDER:
--   one     there is no @id: all requests are the same
--   random  random numbers
--   cycle   all in turn, then again from FIRST
--   fill    all in turn; the run ends after the last response, whatever -d says
-- If there is no @id, @key in a header stands for a random number below KEYS. The last line of the output is for the bench:
-- RESULT requests, duration in µs, broken connections, responses with an error status
local number, last, keys

-- After the last number it is repeated, until all responses in flight have arrived.
local repeats = 200

local function print_result(requests, micros, broken, errors)
  io.write(string.format("RESULT %d %d %d %d\n", requests, micros, broken, errors))
end

local function end_after(count)
  local responses, errors = 0, 0
  response = function(status)
    responses = responses + 1
    if status ~= 200 then errors = errors + 1 end
    if responses == count then
      print_result(responses, 0, 0, errors)
      io.flush()
      os.exit(0) -- stopping the thread would leave wrk asleep until the end of its duration
    end
  end
end

function init(args)
  local first, order = tonumber(args[1]), args[3]
  last, keys = tonumber(args[2]), tonumber(args[4])
  if order == "one" then return end

  math.randomseed(first + last)
  number = first - 1
  local text = wrk.format("GET")
  local has_key = text:find("@key", 1, true)
  local before, after = text:match("^(.-)@id(.*)$")
  if order == "fill" then end_after(last - first + 1 + repeats) end
  request = function()
    if order == "random" then
      number = math.random(first, last)
    elseif number < last then
      number = number + 1
    elseif order == "cycle" then
      number = first
    end
    if has_key then return (text:gsub("@key", tostring(math.random(0, keys - 1)))) end
    return before .. number .. after
  end
end

function done(summary)
  local errors = summary.errors
  print_result(summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.timeout, errors.status)
end
