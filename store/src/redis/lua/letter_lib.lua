-- A letter is the hash `letter:ID`, and stands in the order of ids, of when it is due, and of when it was queued.
local function drop_letter(id)
  local account = redis.call('HGET', key('letter', id), 'account')
  if redis.call('DEL', key('letter', id)) == 0 then return false end
  if account then redis.call('SREM', key('letters_of', account), id) end
  for _, order in ipairs({'letters', 'letters_due', 'letters_queued'}) do redis.call('ZREM', key(order), id) end
  return true
end
local function put_letter_in(id)
  local letter = table_of(redis.call('HGETALL', key('letter', id)))
  if letter.account then redis.call('SADD', key('letters_of', letter.account), id) end
  redis.call('ZADD', key('letters'), 0, id)
  redis.call('ZADD', key('letters_due'), letter.due_at, id)
  redis.call('ZADD', key('letters_queued'), letter.queued_at, id)
end
-- Letters of the account that wait and that this one makes worthless.
local function replaced_by(letter)
  local found = {}
  if not letter.fields.account then return found end
  for _, id in ipairs(redis.call('SMEMBERS', key('letters_of', letter.fields.account))) do
    local kind = redis.call('HGET', key('letter', id), 'kind')
    for _, replaced in ipairs(letter.replaces) do
      if kind == replaced then found[#found + 1] = id end
    end
  end
  return found
end
-- `nil` where the letter may be queued; else the answer that refuses it. `made` is an account that the same step makes.
local function unfit_letter(letter, made)
  local account = letter.fields.account
  if account and account ~= made and redis.call('EXISTS', key('account', account)) == 0 then return {'not_found'} end
  local waiting = redis.call('ZCARD', key('letters')) - #replaced_by(letter)
  if waiting >= letter.letters_max then return {'outbox_full', int(letter.letters_max)} end
  return nil
end
local function put_letter(letter)
  for _, id in ipairs(replaced_by(letter)) do drop_letter(id) end
  for field, value in pairs(letter.fields) do redis.call('HSET', key('letter', letter.id), field, value) end
  put_letter_in(letter.id)
end
local function is_claimed(id, claim)
  local found = redis.call('HMGET', key('letter', id), 'claim', 'worker')
  return found[2] and found[1] == claim
end
local function set_due(id, at)
  redis.call('HSET', key('letter', id), 'due_at', at)
  redis.call('ZADD', key('letters_due'), at, id)
end
