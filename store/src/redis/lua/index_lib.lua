-- What accounts are found by. Whoever changes one takes it out first and puts it in again behind the change.
local function in_use(account) return account.disabled == '0' and account.accepted_at ~= nil end
-- What a search looks through, in the order of names: no byte of a name is as small as the one behind it.
local function searched(account)
  return account.name .. '\0' .. account.id .. account.role_hash .. account.display_folded
end
local function used_last(account)
  local last = tonumber(account.created_at)
  for _, field in ipairs({'last_used_at', 'last_sign_in_at', 'reinstated_at'}) do
    if account[field] and tonumber(account[field]) > last then last = tonumber(account[field]) end
  end
  return int(last)
end
local function take_out(id)
  local account = table_of(redis.call('HGETALL', key('account', id)))
  redis.call('HDEL', key('names'), account.name)
  redis.call('HDEL', key('names_by_hash'), account.name_hash)
  redis.call('ZREM', key('search'), searched(account))
  redis.call('ZREM', key('of_role', account.role_hash), id)
  redis.call('ZREM', key('in_use', account.role_hash), id)
  if account.email_hash then redis.call('ZREM', key('of_email', account.email_hash), id) end
end
local function put_in(id)
  local account = table_of(redis.call('HGETALL', key('account', id)))
  redis.call('HSET', key('names'), account.name, id)
  redis.call('HSET', key('names_by_hash'), account.name_hash, account.name)
  redis.call('ZADD', key('search'), 0, searched(account))
  redis.call('ZADD', key('of_role', account.role_hash), 0, id)
  if in_use(account) then redis.call('ZADD', key('in_use', account.role_hash), used_last(account), id) end
  if account.email_hash then redis.call('ZADD', key('of_email', account.email_hash), 0, id) end
end
-- Sets a time of the account to this one, unless it is later already: clocks may go back, these times do not.
local function used(id, field, at)
  local found = redis.call('HMGET', key('account', id), field, 'role_hash')
  if not found[2] or (found[1] and tonumber(found[1]) >= tonumber(at)) then return end
  redis.call('HSET', key('account', id), field, at)
  redis.call('ZADD', key('in_use', found[2]), 'XX', 'GT', at, id)
end
