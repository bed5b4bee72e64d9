-- SHA-256, the policy as JSON, the number it is to come after (empty: any). The same text keeps its number, another gets the next.
local function work()
  local found = redis.call('HMGET', key('policy'), 'revision', 'sha256')
  if found[2] == args[1] then return {'ok', found[1]} end
  if found[1] and args[3] ~= '' and found[1] ~= args[3] then return {'version_mismatch'} end
  local next = int(tonumber(found[1] or '0') + 1)
  put_policy(next, args[1], args[2])
  return {'ok', next}
end
