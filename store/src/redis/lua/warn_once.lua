-- account, when the disuse began, the letter.
local function work()
  local account = key('account', args[1])
  if redis.call('EXISTS', account) == 0 then return {'not_found'} end
  local warned = redis.call('HGET', account, 'warned_of')
  if warned and tonumber(warned) >= tonumber(args[2]) then return {'ok', '0'} end
  local letter = cjson.decode(args[3])
  local wrong = unfit_letter(letter)
  if wrong then return wrong end
  redis.call('HSET', account, 'warned_of', args[2])
  put_letter(letter)
  return {'ok', '1'}
end
