-- Number, SHA-256, the policy as JSON. Nothing where there is one as new.
local function work()
  local newest = redis.call('HGET', key('policy'), 'revision')
  if not newest or tonumber(newest) < tonumber(args[1]) then put_policy(args[1], args[2], args[3]) end
  return {'ok'}
end
