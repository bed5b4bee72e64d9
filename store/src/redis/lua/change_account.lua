-- id, expected version or empty, whether to end sessions, when, why, how many fields go, those, then fields and values.
local function work()
  local id, wrong = args[1], unlike(args[1], args[2])
  if wrong then return wrong end
  local first = 7 + tonumber(args[6])
  for i = 7, first - 1 do redis.call('HDEL', key('account', id), args[i]) end
  for i = first, #args, 2 do redis.call('HSET', key('account', id), args[i], args[i + 1]) end
  redis.call('HINCRBY', key('account', id), 'version', 1)
  local ended = {}
  if args[3] == '1' then ended = end_all(id, '', args[4], args[5]) end
  return {'ok', ended, account_of(id)}
end
