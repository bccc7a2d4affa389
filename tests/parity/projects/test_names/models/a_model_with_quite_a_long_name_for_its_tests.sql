select 1 as id, 'x' as kind, 1.5 as amount, 'y' as "Quoted Column"
