-- Marks that account and credentials have changed: tickets from before and `If-Match` from before are worthless.
local function raise_versions(id)
  if redis.call('EXISTS', key('account', id)) == 0 then return false end
  redis.call('HINCRBY', key('account', id), 'version', 1)
  redis.call('HINCRBY', key('credential', id), 'version', 1)
  return true
end
