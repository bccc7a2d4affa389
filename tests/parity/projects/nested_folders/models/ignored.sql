select 'not in a model path'
