-- twenty-conform bench export wrk: sends the pre-signed deliveries of deliveries.txt in a loop.
--
--   wrk -t2 -c64 -d10s -s deliveries.lua http://127.0.0.1:3000/hooks
--
-- Signed at @SIGNED@, good until @UNTIL@. It does not start later, because a receiver should reject stale deliveries.

local function quit(why)
  io.stderr:write("twenty-conform: " .. why .. "\n")
  os.exit(2)
end

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or ""

local function read()
  local file, why = io.open(here .. "deliveries.txt", "rb")
  if not file then quit("cannot read the deliveries: " .. why) end
  local head = file:read("*l") or ""
  local count, good_until = head:match("^# twenty%-conform bench export wrk: (%d+) deliveries, .* good until (%d+) ")
  if not count then quit("deliveries.txt is not an export for wrk; export it again") end
  if os.time() >= tonumber(good_until) then quit("the deliveries are stale; export them again") end
  local deliveries = {}
  for number = 1, tonumber(count) do
    local line = file:read("*l") or ""
    local timestamp, signature, nonce, length = line:match("^(%S+) (%S+) (%S+) (%d+)$")
    local body = length and file:read(tonumber(length))
    if not body or #body ~= tonumber(length) or file:read("*l") ~= "" then
      quit("delivery " .. number .. " in deliveries.txt is broken; export it again")
    end
    deliveries[number] = { timestamp, signature, nonce, body }
  end
  file:close()
  return deliveries
end

local threads = 0

function setup(thread)
  thread:set("place", threads)
  threads = threads + 1
end

local requests, at

function init()
  requests = {}
  for number, one in ipairs(read()) do
    local headers = {
      ["Host"] = wrk.headers["Host"],
      ["Content-Type"] = "application/json",
      ["X-Twenty-Webhook-Timestamp"] = one[1],
      ["X-Twenty-Webhook-Signature"] = one[2],
    }
    if one[3] ~= "-" then headers["X-Twenty-Webhook-Nonce"] = one[3] end
    requests[number] = wrk.format("POST", nil, headers, one[4])
  end
  -- Each thread starts at another delivery.
  at = math.floor(((place or 0) * 0.6180339887) % 1 * #requests)
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  if errors.status + broken > 0 then
    io.stderr:write(string.format(
      "twenty-conform: fail: %d of %d deliveries were answered with a status above 399, and %d got no answer\n",
      errors.status, summary.requests, broken))
    os.exit(1)
  end
end
