-- the letter.
local function work()
  local letter = cjson.decode(args[1])
  local wrong = unfit_letter(letter)
  if wrong then return wrong end
  put_letter(letter)
  return {'ok'}
end
