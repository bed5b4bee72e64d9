-- A link is the hash `link:HASH`; an account has one of each purpose at most.
local function drop_link(hash)
  local found = redis.call('HMGET', key('link', hash), 'account', 'purpose')
  if not found[1] then return false end
  redis.call('DEL', key('link', hash))
  redis.call('HDEL', key('links_of', found[1]), found[2])
  redis.call('ZREM', key('links'), hash)
  return true
end
local function drop_links(account)
  for _, hash in ipairs(redis.call('HVALS', key('links_of', account))) do drop_link(hash) end
end
-- Whatever could act for the account or change its credentials.
local function drop_links_and_tokens(account)
  drop_links(account)
  for _, name in ipairs(redis.call('SMEMBERS', key('tokens_of', account))) do drop_token(name) end
end
local function put_link_in(hash)
  local link = table_of(redis.call('HGETALL', key('link', hash)))
  redis.call('HSET', key('links_of', link.account), link.purpose, hash)
  redis.call('ZADD', key('links'), link.expires_at, hash)
end
-- `nil` where the link and its letter may be stored; else the answer that refuses them. `made` is an account that the same
-- step makes, with credentials of version 1.
local function unfit_link(fresh, made)
  local account, version = fresh.link.account, '1'
  if account ~= made then version = redis.call('HGET', key('credential', account), 'version') end
  if not version then return {'not_found'} end
  if version ~= fresh.link.credentials_version then return {'link_dead'} end
  return fresh.letter and unfit_letter(fresh.letter, made)
end
local function put_link(fresh)
  local link, hash = fresh.link, fresh.link.hash
  drop_link(hash)
  local former = redis.call('HGET', key('links_of', link.account), link.purpose)
  if former then drop_link(former) end
  for field, value in pairs(link) do redis.call('HSET', key('link', hash), field, value) end
  put_link_in(hash)
  if link.purpose == 'invitation' then
    local found = redis.call('HMGET', key('account', link.account), 'invited_at', 'invitation_expires_at')
    if found[1] ~= link.made_at or found[2] ~= link.expires_at then
      redis.call('HSET', key('account', link.account), 'invited_at', link.made_at, 'invitation_expires_at', link.expires_at)
      redis.call('HINCRBY', key('account', link.account), 'version', 1)
    end
  end
  if fresh.letter then put_letter(fresh.letter) end
end
-- The link, while it is worth anything; else `nil`.
local function live_link(hash, purpose, now)
  local link = table_of(redis.call('HGETALL', key('link', hash)))
  if link.purpose ~= purpose or tonumber(link.expires_at) <= tonumber(now) then return nil end
  if redis.call('HGET', key('account', link.account), 'disabled') ~= '0' then return nil end
  if redis.call('HGET', key('credential', link.account), 'version') ~= link.credentials_version then return nil end
  return link
end
-- No invitation waits any more.
local function drop_invitation(account)
  redis.call('HDEL', key('account', account), 'invited_at', 'invitation_expires_at')
end
