-- An account as it is answered: its fields, and what others say about it.
local function account_of(id)
  local fields = redis.call('HGETALL', key('account', id))
  if #fields == 0 then return nil end
  local more = {
    'second_factor', int(redis.call('HEXISTS', key('credential', id), 'totp_sealed')),
    'recovery_codes_left', int(redis.call('SCARD', key('codes', id))),
    'devices', int(redis.call('ZCARD', key('devices_of', id))),
  }
  for i = 1, #more do fields[#fields + 1] = more[i] end
  return fields
end
-- `nil` where the account is as it was expected; else the answer that says how it is not.
local function unlike(id, expected)
  local version = redis.call('HGET', key('account', id), 'version')
  if not version then return {'not_found'} end
  if expected ~= '' and expected ~= version then return {'version_mismatch'} end
  return nil
end
