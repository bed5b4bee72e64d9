-- name hash, source, lock id here, lock id anywhere. The attempt was no failure after all: a lock that counted on it goes too.
local function work()
  local name, latest = args[1], nil
  for _, failure in ipairs(failures_of(name)) do
    local number = tonumber(failure.number)
    if failure.source == args[2] and (not latest or number > latest) then latest = number end
  end
  if not latest then return {'ok'} end
  drop_failure(name, int(latest))
  stop_counting(name, args[2])
  drop_lock(name, args[3])
  drop_lock(name, args[4])
  return {'ok'}
end
