-- Marks that account and credentials have changed: tickets from before and `If-Match` from before are worthless.
local function raise_versions(id)
  if redis.call('EXISTS', key('account', id)) == 0 then return false end
  redis.call('HINCRBY', key('account', id), 'version', 1)
  redis.call('HINCRBY', key('credential', id), 'version', 1)
  return true
end
-- Sets a password, and makes worthless whatever else could act for the account.
local function replace_password(id, hash, temporary)
  if not raise_versions(id) then return false end
  redis.call('HSET', key('credential', id), 'password_hash', hash)
  redis.call('HSET', key('account', id), 'password_temporary', temporary)
  drop_links_and_tokens(id)
  return true
end
