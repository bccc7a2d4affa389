select 'toolbox' as origin
