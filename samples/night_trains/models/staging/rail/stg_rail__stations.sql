-- depends_on: {{ ref('raw_stations') }}
with source as (

    select * from {{ source('rail', 'stations') }}

),

renamed as (

    select
        code as station_code,
        name as station_name,
        city,
        country as country_code,
        latitude,
        longitude

    from source

)

select * from renamed
