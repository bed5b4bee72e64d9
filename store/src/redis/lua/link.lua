-- hash, purpose, when.
local function work()
  if not live_link(args[1], args[2], args[3]) then return {'not_found'} end
  return {'ok', redis.call('HGETALL', key('link', args[1]))}
end
