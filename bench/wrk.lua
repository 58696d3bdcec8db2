-- wrk -s wrk.lua URL -- FIRST LAST ORDER KEYS
--
-- In the URL's path @id stands for a number from FIRST to LAST. ORDER says which:
--   one     there is no @id: always the same request
--   random  any of them
--   cycle   each in turn, then again from FIRST
--   fill    each in turn; the run ends once they are answered, whatever duration was asked for
-- Where there is no @id, @key in a header may stand for any number below KEYS. The result is printed on one line, for programs to read.
local following, last, keys

-- Beyond the last number it is repeated, while what is under way comes in.
local repeats = 200

local function print_result(requests, micros, broken, refused, p50)
  io.write(string.format("RESULT %d %d %d %d %d\n", requests, micros, broken, refused, p50))
end

local function end_after(count)
  local answered, refused = 0, 0
  response = function(status)
    answered = answered + 1
    if status ~= 200 then refused = refused + 1 end
    if answered == count then
      print_result(answered, 0, 0, refused, 0)
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
  following = first - 1
  local text = wrk.format("GET")
  local has_key = text:find("@key", 1, true)
  local before, after = text:match("^(.-)@id(.*)$")
  if order == "fill" then end_after(last - first + 1 + repeats) end
  request = function()
    if order == "random" then
      following = math.random(first, last)
    elseif following < last then
      following = following + 1
    elseif order == "cycle" then
      following = first
    end
    if has_key then return (text:gsub("@key", tostring(math.random(0, keys - 1)))) end
    return before .. following .. after
  end
end

function done(summary, latency)
  local errors = summary.errors
  print_result(summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.timeout, errors.status, latency:percentile(50))
end
