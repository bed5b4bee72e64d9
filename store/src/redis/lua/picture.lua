-- account.
local function work()
  local found = redis.call('HGETALL', key('picture', args[1]))
  if #found == 0 then return {'not_found'} end
  return {'ok', found}
end
