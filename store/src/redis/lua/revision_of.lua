-- SHA-256.
local function work()
  local revision = redis.call('HGET', key('policy_numbers'), args[1])
  if not revision then return {'not_found'} end
  return {'ok', revision}
end
