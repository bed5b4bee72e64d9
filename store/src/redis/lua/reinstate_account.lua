-- id, when. A clock that was set back must not take a later reinstatement away.
local function work()
  local id, wrong = args[1], unlike(args[1], '')
  if wrong then return wrong end
  used(id, 'reinstated_at', args[2])
  redis.call('HINCRBY', key('account', id), 'version', 1)
  return {'ok', account_of(id)}
end
