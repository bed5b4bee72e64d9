-- id, hash, whether temporary, the session to keep or empty, when, why.
local function work()
  local id = args[1]
  if not replace_password(id, args[2], args[3]) then return {'not_found'} end
  return {'ok', end_all(id, args[4], args[5], args[6])}
end
