-- Commands to run, each as how many words, the command, its key without what all keys begin with, the other words. One that
-- begins with `put_in` puts an account, a device, a link or a letter among those that are found.
local putting = {
  put_in_account = put_in, put_in_device = put_device_in, put_in_link = put_link_in, put_in_letter = put_letter_in,
}
local function work()
  local i = 1
  while i <= #args do
    local words = tonumber(args[i])
    local put = putting[args[i + 1]]
    if put then
      put(args[i + 2])
    else
      local command = {args[i + 1], key(args[i + 2])}
      for j = i + 3, i + words do command[#command + 1] = args[j] end
      redis.call(unpack(command))
    end
    i = i + words + 1
  end
  return {'ok'}
end
