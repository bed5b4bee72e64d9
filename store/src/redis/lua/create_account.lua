-- id, name, name hash, password hash, rules, its invitation or empty, then fields and values of the account.
local function work()
  local id, hash, account = args[1], args[3], {}
  if redis.call('HEXISTS', key('names'), args[2]) == 1 then return {'name_taken'} end
  for i = 7, #args, 2 do account[args[i]] = args[i + 1] end
  local fresh = args[6] ~= '' and cjson.decode(args[6])
  local wrong = judge(args[5], {{id = id, after = account}}) or (fresh and unfit_link(fresh, id))
  if wrong then return wrong end

  for i = 7, #args, 2 do redis.call('HSET', key('account', id), args[i], args[i + 1]) end
  redis.call('HSET', key('credential', id), 'password_hash', args[4], 'version', '1')
  put_in(id)
  -- Locks of a name are listed first once an account has it.
  for _, lock in ipairs(redis.call('SMEMBERS', key('locks_of', hash))) do
    redis.call('ZADD', key('locks_of_accounts'), redis.call('HGET', key('lock', lock), 'until'), lock)
  end
  if fresh then put_link(fresh) end
  return {'ok'}
end
