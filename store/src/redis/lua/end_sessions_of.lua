-- account, the session to keep or empty, when, why.
local function work()
  return {'ok', end_all(args[1], args[2], args[3], args[4])}
end
