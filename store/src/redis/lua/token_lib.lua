-- A token lies as JSON under its name; hashes lead to names, and accounts to the names of those that act as them.
local function put_token(name, hash, token, account)
  redis.call('HSET', key('tokens'), name, token)
  redis.call('HSET', key('token_names'), hash, name)
  redis.call('HSET', key('token_hashes'), name, hash)
  if account ~= '' then
    redis.call('HSET', key('token_accounts'), name, account)
    redis.call('SADD', key('tokens_of', account), name)
  end
end
local function drop_token(name)
  local hash = redis.call('HGET', key('token_hashes'), name)
  if not hash then return false end
  local account = redis.call('HGET', key('token_accounts'), name)
  if account then redis.call('SREM', key('tokens_of', account), name) end
  redis.call('HDEL', key('tokens'), name)
  redis.call('HDEL', key('token_hashes'), name)
  redis.call('HDEL', key('token_accounts'), name)
  redis.call('HDEL', key('token_names'), hash)
  return true
end
