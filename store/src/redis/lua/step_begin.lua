-- A step that writes: its number, the lease it is made under, then what it works on.
local step, epoch = ARGV[1], ARGV[2]
local args = {}
for i = 3, #ARGV do args[i - 2] = ARGV[i] end
-- What doors judge from memory is noted as it is written, so that no step can forget to tell them. A step whose changes need
-- not be told says that it is quiet.
local quiet, noted = false, {session = {}, account = {}, any = false}
local told_of = {session = 'session', account = 'account', codes = 'account'}
local changing = {HSET = true, HDEL = true, HINCRBY = true, DEL = true, SADD = true, SREM = true}
local function note(name)
  if name == base .. 'policy' then
    noted.policy, noted.any = true, true
    return
  end
  local kind, id = string.match(name, '^(%l+):(%x+)$', #base + 1)
  local list = kind and told_of[kind] and noted[told_of[kind]]
  if list and not list[id] then
    list[id], noted.any = true, true
    list[#list + 1] = id
  end
end
local server = redis
local redis = {call = function(command, ...)
  if changing[command] then
    local names = {...}
    for i = 1, command == 'DEL' and #names or 1 do note(names[i]) end
  end
  return server.call(command, ...)
end}
