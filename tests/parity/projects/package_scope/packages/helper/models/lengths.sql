select {{ dbt.length("'a'") }} as dbt_s, {{ length("'a'") }} as bare, {{ adapter.dispatch('length', 'helper')("'a'") }} as own
