-- Names of commands. Answers those that whoever is asking may not run on keys of ours.
local function work()
  local found = {'ok'}
  for _, command in ipairs(args) do
    if not redis.acl_check_cmd(command, key('meta')) then found[#found + 1] = command end
  end
  return found
end
