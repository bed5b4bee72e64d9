-- `id` or `name`, then which.
local function work()
  local id = args[2]
  if args[1] == 'name' then id = redis.call('HGET', key('names'), args[2]) end
  local found = id and account_of(id)
  if found then return {'ok', found} else return {'not_found'} end
end
