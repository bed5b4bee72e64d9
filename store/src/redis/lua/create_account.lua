-- id, name, name hash, password hash, then fields and values of the account.
local function work()
  local id, name, hash = args[1], args[2], args[3]
  if redis.call('HSETNX', key('names'), name, id) == 0 then return {'name_taken'} end
  redis.call('ZADD', key('names_in_order'), 0, name)
  redis.call('HSET', key('names_by_hash'), hash, name)
  redis.call('HSET', key('credential', id), 'password_hash', args[4], 'version', '1')
  for i = 5, #args, 2 do redis.call('HSET', key('account', id), args[i], args[i + 1]) end
  -- Locks of a name are listed first once an account has it.
  for _, lock in ipairs(redis.call('SMEMBERS', key('locks_of', hash))) do
    redis.call('ZADD', key('locks_of_accounts'), redis.call('HGET', key('lock', lock), 'until'), lock)
  end
  return {'ok'}
end
