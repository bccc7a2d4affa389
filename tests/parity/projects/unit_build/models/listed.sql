select id, name, born from {{ ref('people') }} where born is not null
