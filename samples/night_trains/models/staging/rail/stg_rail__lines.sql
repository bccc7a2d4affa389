-- depends_on: {{ ref('raw_lines') }}
with source as (

    select * from {{ source('rail', 'lines') }}

),

renamed as (

    select
        code as line_code,
        name as line_name,
        origin as origin_station_code,
        destination as destination_station_code,
        distance_km,
        opened_in as opened_in_year

    from source

)

select * from renamed
