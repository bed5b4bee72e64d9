-- id.
local function work()
  local found = redis.call('HGETALL', key('credential', args[1]))
  if #found == 0 then return {'not_found'} end
  return {'ok', found}
end
