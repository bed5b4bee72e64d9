-- Commands to run, each as how many words, the command, its key without what all keys begin with, the other words.
local function work()
  local i = 1
  while i <= #args do
    local words = tonumber(args[i])
    local command = {args[i + 1], key(args[i + 2])}
    for j = i + 3, i + words do command[#command + 1] = args[j] end
    redis.call(unpack(command))
    i = i + words + 1
  end
  return {'ok'}
end
