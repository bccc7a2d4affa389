-- {{ doc('block') if false else 'no doc here' }}
select 1 as id
